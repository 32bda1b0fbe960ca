import type { Chance } from './chance.ts';
import type { Files } from './project.ts';

/** What was done to the sound project, and what the product must say to it. */
export interface Mutation {
  kind: string;
  /** Files as they are written over the sound ones. */
  files: Files;
  /** Null: what is written still means something valid. Known by construction, never by asking the product. */
  fault: Fault | null;
}

export interface Fault {
  file: string;
  /** Lines on which the complaint may stand, from 1; null: it is about the file as a whole and has no line. */
  lines: { first: number; last: number } | null;
  /** Only a warehouse can see it. */
  needsWarehouse?: boolean;
  /** What cannot run any more because of it: the file's own, a connection of readback.yml, the warehouse, or everything. */
  harms: { kind: 'file' } | { kind: 'connection'; name: string } | { kind: 'warehouse' | 'all' | 'nothing' };
}

/** Makes one mutation; undefined when chance chose a place where this kind makes no sense. */
export type Mutator = (chance: Chance) => Omit<Mutation, 'kind'> | undefined;

/** Mutators by kind. */
export type Kinds = Readonly<Record<string, Mutator>>;
