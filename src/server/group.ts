/** The one Raft group of this version; every key on disk and every frame names it. */
export const groupId = 1;
