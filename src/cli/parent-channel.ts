/** What a member tells the process that started it, before it ends. */
export const expelledMessage = 'the cluster goes on without this member';

/** Resolves when it was sent; at once if there is no channel. */
export async function tellParent(message: string): Promise<void> {
  await new Promise<void>((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, () => resolve());
  });
}
