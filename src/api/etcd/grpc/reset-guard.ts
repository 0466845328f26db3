/** Calls that a client may cancel at once, and a second after that. Below nghttp2's own 1,000, see `ResetGuard`. */
const burstMax = 900;
const perSecond = 33;

/**
 * Counts the calls that a connection has canceled: beginning and canceling them costs a client nothing, and the server much ("rapid
 * reset", CVE-2023-44487). Nghttp2 guards against it as well, but the session that it gives up then stays until it is asked for a sign
 * of life; so this one has to come first.
 */
export class ResetGuard {
  #tokens = burstMax;
  #sinceMs: number;

  constructor(nowMs: number) {
    this.#sinceMs = nowMs;
  }

  /** A call was canceled. True if these are too many. */
  onReset(nowMs: number): boolean {
    this.#tokens = Math.min(burstMax, this.#tokens + ((nowMs - this.#sinceMs) / 1000) * perSecond) - 1;
    this.#sinceMs = nowMs;
    return this.#tokens < 0;
  }
}
