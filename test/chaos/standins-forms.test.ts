import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { FaultyDesks } from './faulty-desks.ts';
import type { DeskKind } from './standins/config.ts';
import { type FaultKind, faultKinds } from './standins/faults.ts';

const desks = await FaultyDesks.start(7);
const { place, asking } = desks;
after(() => place.stop());
const fresh = () => desks.fresh();

/** Per desk: status and a piece of the answer's text. */
type Form = Partial<Record<DeskKind, readonly [number, RegExp]>>;
type Written = 'now' | 'never' | 'late' | 'by a draw';

/** Faults whose whole answer is the vendor's own word for it. */
const forms: Partial<Record<FaultKind, { written: Written; refuses?: true; form: Form }>> = {
  ok_with_error_body: {
    written: 'by a draw',
    form: {
      keyed: [200, /"error":"InternalServerError"/],
      upsert: [200, /"status":"error".*"category":"INTERNAL_ERROR"/],
      marker: [200, /^\{"ok":false,"error":"fatal_error"\}$/],
      plain: [200, /"error"/],
    },
  },
  late: {
    written: 'late',
    form: {
      keyed: [201, /"ticket":/],
      upsert: [200, /"results":\[\{/],
      marker: [200, /"ok":true.*"ts":/],
      plain: [201, /"id":/],
    },
  },
  accepted_202: {
    written: 'late',
    form: {
      keyed: [202, /^\{\}$/],
      upsert: [202, /^\{\}$/],
      marker: [202, /"ok":true/],
      plain: [202, /^\{\}$/],
    },
  },
  not_written: {
    written: 'never',
    form: {
      keyed: [201, /"ticket":/],
      upsert: [200, /"results":\[\{/],
      marker: [200, /"ok":true.*"ts":/],
      plain: [201, /"id":/],
    },
  },
  item_400: {
    written: 'never',
    refuses: true,
    form: {
      keyed: [422, /"error":"RecordInvalid".*"details"/],
      upsert: [207, /"numErrors":1.*"category":"VALIDATION_ERROR".*"objectWriteTraceId":\["trace-e-/],
      marker: [200, /^\{"ok":false,"error":"restricted_action"\}$/],
      plain: [400, /"error":"invalid_order"/],
    },
  },
  unauthorized_401: {
    written: 'never',
    form: {
      keyed: [401, /Couldn't authenticate you/],
      upsert: [401, /"category":"INVALID_AUTHENTICATION"/],
      marker: [200, /^\{"ok":false,"error":"invalid_auth"\}$/],
      plain: [401, /unauthorized/],
    },
  },
  gone_404: {
    written: 'never',
    refuses: true,
    form: {
      keyed: [404, /"error":"RecordNotFound"/],
      upsert: [207, /"category":"OBJECT_NOT_FOUND".*"objectWriteTraceId":\["trace-e-/],
      marker: [200, /^\{"ok":false,"error":"channel_not_found"\}$/],
      plain: [404, /not_found/],
    },
  },
  gone_410: {
    written: 'never',
    refuses: true,
    form: { marker: [200, /^\{"ok":false,"error":"is_archived"\}$/], plain: [410, /gone/] },
  },
  conflict_409: {
    written: 'never',
    refuses: true,
    form: {
      keyed: [409, /"error":"DatabaseConflict"/],
      upsert: [207, /"category":"CONFLICT"/],
      plain: [409, /conflict/],
    },
  },
  too_large_413: {
    written: 'never',
    refuses: true,
    form: { keyed: [413, /<html>/], marker: [200, /"error":"msg_too_long"/], plain: [413, /<html>/] },
  },
  throttled_seconds: {
    written: 'never',
    form: {
      keyed: [429, /requests per minute exceeded/],
      upsert: [429, /"errorType":"RATE_LIMIT".*"policyName":"SECONDLY"/],
      marker: [429, /^\{"ok":false,"error":"ratelimited"\}$/],
      plain: [429, /too_many_requests/],
    },
  },
  error_before: {
    written: 'never',
    form: {
      keyed: [500, /error/],
      upsert: [500, /error/],
      marker: [500, /internal_error/],
      plain: [500, /error/],
    },
  },
  error_after: {
    written: 'now',
    form: {
      keyed: [500, /error/],
      upsert: [500, /error/],
      marker: [500, /internal_error/],
      plain: [500, /error/],
    },
  },
  unavailable_503: {
    written: 'never',
    form: { keyed: [503, /./], upsert: [503, /./], marker: [503, /service_unavailable/], plain: [503, /./] },
  },
  timeout_after: {
    written: 'now',
    form: {
      keyed: [504, /<html>/],
      upsert: [504, /<html>/],
      marker: [504, /<html>/],
      plain: [504, /<html>/],
    },
  },
  html_200: {
    written: 'by a draw',
    form: {
      keyed: [200, /<html>/],
      upsert: [200, /<html>/],
      marker: [200, /<html>/],
      plain: [200, /<html>/],
    },
  },
};

describe('each fault has the form its vendor gives it', () => {
  for (const [fault, { written, refuses, form }] of Object.entries(forms)) {
    for (const [desk, [status, pattern]] of Object.entries(form) as [DeskKind, readonly [number, RegExp]][]) {
      test(`${fault} at the ${desk} desk, written ${written}`, async () => {
        const entity = fresh();
        const answer = await desks.under(desk, fault as FaultKind, () => asking.write(desk, entity));
        assert.equal(answer.status, status, answer.text);
        assert.match(answer.text, pattern);
        const applied = answer.truth.filter(({ event }) => event === 'applied');
        if (written !== 'by a draw') assert.equal(applied.length, written === 'never' ? 0 : 1);
        for (const one of applied) {
          assert.deepEqual([one.entity, one.version, one.token], [entity, 1, `t-${entity.slice(2)}`]);
          assert.equal(one.late, written === 'late');
        }
        const answered = answer.truth.find(({ event }) => event === 'answered');
        const refused = (answered?.refused as { entity: string }[]).map((one) => one.entity);
        assert.deepEqual(refused, refuses ? [entity] : []);
      });
    }
  }

  test('every fault of the menu is looked at here, or in a test of its own', () => {
    const others: FaultKind[] = [
      ...([
        'normalised',
        'batch_400',
        'throttled_date',
        'throttled_bare',
        'truncated_json',
        'slow_drip',
      ] as const),
      ...(['partial_207', 'shuffled_207', 'short_207', 'stale_read', 'read_429', 'read_500'] as const),
      ...(['key_ignored', 'key_expired'] as const),
    ];
    assert.deepEqual([...Object.keys(forms), ...others].sort(), Object.keys(faultKinds).sort());
  });
});
