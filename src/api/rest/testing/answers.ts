import type { AnswerHeader, PutAnswer } from '../../../contract/kv.ts';

/** What a scripted service says of itself with every answer. */
export const header: AnswerHeader = { memberId: '8e9e05c52164694d', revision: 7, raftTerm: 3 };

/** The answer to the put that created a key. */
export const created: PutAnswer = {
  header,
  created: true,
  createRevision: 7,
  modRevision: 7,
  version: 1,
  previous: undefined,
};
