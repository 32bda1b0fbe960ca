import type { ActionType, CallOptions, Outcome, ReadItem, Reading, WriteItem } from '../connector.ts';
import type { HubSpot } from './client.ts';

export type Options = Record<string, unknown>;

/** What has to be there before an action can be done; `doctor` looks. */
export type Need =
  /** A property of an object that tells its records apart. */
  | { kind: 'property'; object: string; name: string }
  /** A list whose members are set by hand, of records of this object. */
  | { kind: 'list'; list: ListName };

export interface ListName {
  /** Such as `0-1`. */
  objectTypeId: string;
  id: string | undefined;
  name: string | undefined;
}

/** One action: what all connectors tell of theirs, and how HubSpot does it. */
export interface Action extends ActionType {
  needs(options: Options): Need[];
  /** Writes one batch. Never throws for something HubSpot said. */
  write(
    hubspot: HubSpot,
    options: Options,
    items: WriteItem[],
    call: CallOptions,
  ): Promise<Map<string, Outcome>>;
  /** What HubSpot holds now, under the names the destination uses. */
  read(
    hubspot: HubSpot,
    options: Options,
    items: ReadItem[],
    call: CallOptions,
  ): Promise<Map<string, Reading>>;
}

/** 100 inputs is HubSpot's own limit for batch upsert and for batch read. */
export const shared = {
  idempotency: 'upsert',
  unreadable: [],
  needsParent: false,
  maxBatch: 100,
  maxReadBatch: 100,
  // Four calls of about 400 ms fill 100 requests in 10 s.
  concurrency: 4,
  // Reads by id or unique property come from the store itself; this covers a request that outlived its deadline.
  lagMs: 5000,
} as const;
