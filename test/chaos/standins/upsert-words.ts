import type { Said } from './faults.ts';
import { type Protocol, page, type Reply } from './protocol.ts';

// How HubSpot says what: whole answers, errors within a batch, a property.

const correlationId = '4f1c6a52-0a3e-4a8e-9a2b-6d1f0c9b7e11';

const itemErrors: Partial<Record<Said, { category: string; message: string }>> = {
  bad: { category: 'VALIDATION_ERROR', message: 'Property values were not valid' },
  broken: { category: 'INTERNAL_ERROR', message: 'internal error' },
  conflict: { category: 'CONFLICT', message: 'The object is being changed by another request' },
  gone_404: { category: 'OBJECT_NOT_FOUND', message: 'The object does not exist' },
};

/** An input that failed is named by its trace id, and by nothing when it has none. */
export function itemError(said: Said, { objectWriteTraceId }: { objectWriteTraceId?: string }): object {
  const context = objectWriteTraceId ? { objectWriteTraceId: [objectWriteTraceId] } : {};
  return { status: 'error', ...itemErrors[said], context };
}

export function refusal(status: number, category: string, message: string): Reply {
  return { status, body: { status: 'error', message, correlationId, category } };
}

export function property(name: string): object {
  return {
    name,
    label: name,
    type: 'string',
    fieldType: 'text',
    groupName: 'contactinformation',
    hasUniqueValue: true,
  };
}

export const hubspotSays: Protocol['says'] = {
  accepted: { status: 202, body: {} },
  broken: { status: 500, body: { status: 'error', message: 'internal error', correlationId } },
  error_body: {
    status: 200,
    body: { status: 'error', message: 'internal error', correlationId, category: 'INTERNAL_ERROR' },
  },
  throttled: {
    status: 429,
    body: {
      status: 'error',
      message: 'You have reached your secondly limit.',
      errorType: 'RATE_LIMIT',
      correlationId,
      policyName: 'SECONDLY',
    },
  },
  timeout: page(504, '504 Gateway Time-out'),
  too_large: page(413, '413 Request Entity Too Large'),
  unauthorized: {
    status: 401,
    body: {
      status: 'error',
      message: 'Authentication credentials not found.',
      correlationId,
      category: 'INVALID_AUTHENTICATION',
    },
  },
  unavailable: { status: 503, body: { status: 'error', message: 'Service unavailable', correlationId } },
};
