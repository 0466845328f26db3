import { BalsaError } from '../contract/errors.ts';
import type { CommandResult } from '../mvcc/index.ts';

type Refused = Extract<CommandResult, { kind: 'refused' }>;

/** What a client is told of a command that the state machine refused. Nothing was changed. */
export function refusalError({ refusal, figures: [first = 0, second = 0], revision }: Refused): BalsaError {
  switch (refusal) {
    case 'range_too_large':
      return new BalsaError(
        'too_large',
        `The range holds more than ${first} keys or ${second} bytes of keys and values, the most that one deletion ` +
          'takes. Nothing was deleted; delete it in smaller ranges.',
      );
    case 'answer_too_large':
      return new BalsaError(
        'too_large',
        `The transaction reads more than ${first} bytes. Nothing was changed; give its ranges limits, or read them on ` +
          'their own.',
      );
    case 'key_not_found':
      return new BalsaError('key_not_found', 'There is no such key whose value or lease could be kept.');
    case 'lease_not_found':
      return new BalsaError('lease_not_found', 'There is no such lease: it has run out, or was never granted.');
    case 'lease_exists':
      return new BalsaError('lease_exists', 'There is a lease with this id already; leave the id out to be given one.');
    case 'no_space':
      return new BalsaError(
        'no_space',
        `The data takes ${first} of the ${second} bytes that it may (--quota-backend-bytes). Nothing was written; delete ` +
          'keys, compact the history, or raise the quota.',
      );
    case 'compacted':
      return compacted(first);
    case 'future_revision':
      return futureRevision(revision);
    case 'token_reused':
      return new BalsaError(
        'bad_request',
        'The idempotency key was used for another write. Nothing was changed; use a new key for each new write.',
        { extras: { parameter: 'Idempotency-Key' } },
      );
    case 'member_exists':
      return new BalsaError('member_exists', 'There is a member with this id already.');
    case 'member_not_found':
      return new BalsaError('member_not_found', 'There is no such member.');
    case 'member_removed':
      return new BalsaError(
        'member_exists',
        'A member with this id was removed once, and an id is never taken again. Add it as a new member.',
      );
    case 'peer_url_taken':
      return new BalsaError('member_exists', 'Another member has one of these peer URLs. Nothing was changed.');
  }
}

export function compacted(compactRevision: number): BalsaError {
  return new BalsaError(
    'compacted',
    `That revision is compacted; the oldest that is kept is ${compactRevision}. Read without a revision, and go on from ` +
      'that of the answer.',
    { extras: { compactRevision } },
  );
}

export function futureRevision(revision: number): BalsaError {
  return new BalsaError('future_revision', `That revision is still to come: the newest is ${revision}.`, {
    extras: { revision },
  });
}
