import type { ServerResponse } from 'node:http';

/**
 * Aborts when the client goes away before it is answered. Only for requests that can take long: it costs more than a
 * read of one key does, and that ends by its own deadline.
 */
export function closeSignal(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) controller.abort();
  });
  return controller.signal;
}
