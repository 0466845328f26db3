const patienceMs = 10_000;

/** Resolves as soon as `condition` holds; rejects, naming it, if that takes absurdly long. */
export function until(what: string, condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + patienceMs;
  return new Promise((resolve, reject) => {
    look();
    function look(): void {
      if (condition()) resolve();
      else if (performance.now() > deadlineMs) reject(new Error(`waited ${patienceMs} ms in vain: ${what}`));
      else setTimeout(look, 1);
    }
  });
}
