/** What members ask each other beside Raft's own messages. */
export const peerRequestKinds = {
  write: 1,
  progress: 2,
  lease: 3,
  stateHash: 4,
  membership: 5,
  snapshotOpen: 6,
  snapshotChunk: 7,
  willingness: 8,
} as const;
