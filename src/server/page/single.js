/* One title: its matches as they change while it is typed. */
import {
  byId, confidenceBar, decisionBadge, decisionWords, element, formatMs, formatPercent, matchName, matchText,
} from "./dom.js";
import { classify, persist } from "./service.js";

const section = byId("single");

function showMatch(match) {
  const [name, ...best] = matchName(match);
  const item = element("li", {},
    element("div", { className: "name" }, name, element("code", {}, match.code), ...best),
    confidenceBar(match.confidence));
  if (match.evidence) {
    item.append(element("p", { className: "evidence" }, "Closest title it has learned: ",
      element("q", {}, match.evidence.title), ` (similarity ${match.evidence.similarity.toFixed(2)})`));
  }
  return item;
}

function showTime(ms, timing) {
  const total = timing.find(([name]) => name === "total");
  const stages = timing.filter(([name]) => name !== "total").map(([name, stageMs]) => `${name} ${formatMs(stageMs)}`);
  const inService = total ? `, ${formatMs(total[1])} of it in the service` : "";
  byId("single-time").textContent = `Answered in ${formatMs(ms)}${inService}` +
    (stages.length ? ` (${stages.join(", ")})` : "");
}

function show(title, result, ms, timing) {
  byId("single-heading").textContent = title;
  byId("single-decision").replaceChildren(decisionBadge(result.decision), ` ${decisionWords(result)}`);
  byId("matches").replaceChildren(...result.matches.map(showMatch));
  showTime(ms, timing);
  section.hidden = false;
}

export function hideSingle() {
  section.hidden = true;
}

/* Shows the matches of request.title; returns them in words. Throws Trouble, or what aborted it. */
export async function runSingle(request, signal, onWait) {
  section.setAttribute("aria-busy", "true");
  try {
    const { answer, ms, timing } = await persist(() => classify(request, signal), signal, onWait);
    signal.throwIfAborted();
    const result = answer.results[0];
    show(request.title, result, ms, timing);
    const first = result.matches[0];
    const n = result.matches.length;
    return `${n} ${n === 1 ? "match" : "matches"}. First: ${matchText(first)}, ${formatPercent(first.confidence)}.`;
  } finally {
    if (!signal.aborted) section.removeAttribute("aria-busy");
  }
}
