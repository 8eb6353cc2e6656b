/* The service as the page sees it: a call, what it took, and each way it can fail, in plain words. */

export const MAX_TITLES = 1000;

const MAX_TRIES = 10;

/* In memory alone: never in storage, never in the address. */
let key = "";

export function setKey(value) {
  key = value.trim();
}

/* Why a call failed. waitS: seconds after which it is worth another try, 0 = it is not. */
export class Trouble extends Error {
  constructor(words, { status = 0, code = "", pointer = "", waitS = 0 } = {}) {
    super(words);
    Object.assign(this, { status, code, pointer, waitS });
  }
}

function describe(status, problem) {
  const detail = problem.detail ?? "";
  switch (problem.code) {
    case "unauthorized":
      if (key) return "The service does not know this API key.";
      return "The service asks for an API key: enter yours under “API key”.";
    case "starting":
      return "The service is not ready: its model is still being loaded.";
    case "shutting_down":
      return "The service is not ready: it is shutting down.";
    case "overloaded":
    case "too_many_connections":
      return "The service is overloaded.";
    case "rate_limited":
      return "This API key has reached its rate.";
    case "deadline_exceeded":
      return "The service could not answer in time.";
    case "internal":
      return `The service failed. Its log has the request as ${problem.request_id}.`;
    case undefined:
      return `Something between here and the service answered ${status}.`;
    default:
      return `The service does not accept this: ${detail}${problem.pointer ? ` (${problem.pointer})` : ""}`;
  }
}

async function readTrouble(response) {
  const problem = await response.json().catch(() => ({}));
  const canRetry = [429, 503, 504].includes(response.status);
  return new Trouble(describe(response.status, problem), {
    status: response.status,
    code: problem.code,
    pointer: problem.pointer,
    waitS: canRetry ? Math.max(1, Number(response.headers.get("Retry-After")) || 1) : 0,
  });
}

/* "queue;dur=0.4, total;dur=7.9" -> [["queue", 0.4], ["total", 7.9]] */
function parseTiming(header) {
  return [...(header ?? "").matchAll(/([a-z]+);dur=([0-9.]+)/g)].map(([, name, ms]) => [name, Number(ms)]);
}

async function call(path, options) {
  const start = performance.now();
  const headers = { Accept: "application/json", ...options.headers };
  if (key) headers.Authorization = `Bearer ${key}`;
  let response, answer;
  try {
    response = await fetch(path, { cache: "no-store", credentials: "omit", ...options, headers });
    if (response.ok) answer = await response.json();
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Trouble("The service cannot be reached.");
  }
  if (!response.ok) throw await readTrouble(response);
  return { answer, ms: performance.now() - start, timing: parseTiming(response.headers.get("Server-Timing")) };
}

/* request: the body of POST /v1/classify. -> {answer, ms, timing} */
export function classify(request, signal) {
  const headers = { "Content-Type": "application/json" };
  return call("/v1/classify", { method: "POST", headers, body: JSON.stringify(request), signal });
}

/* What is loaded. */
export function describeModel(signal) {
  return call("/v1/model", { signal });
}

/* Rejects when aborted. onTick(seconds left) now and each second. */
async function wait(seconds, signal, onTick) {
  for (let left = seconds; left > 0; left--) {
    onTick(left);
    await new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        signal.removeEventListener("abort", stop);
        resolve();
      }, 1000);
      const stop = () => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      signal.addEventListener("abort", stop, { once: true });
    });
  }
}

/* Makes a call, again where the service says when. onWait(trouble, seconds left) each second, then onWait(null). */
export async function persist(make, signal, onWait) {
  for (let tries = 1; ; tries++) {
    try {
      return await make();
    } catch (trouble) {
      if (!trouble.waitS || tries === MAX_TRIES) throw trouble;
      await wait(trouble.waitS, signal, (left) => onWait(trouble, left));
      signal.throwIfAborted();
      onWait(null);
    }
  }
}
