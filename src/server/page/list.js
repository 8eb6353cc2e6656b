/* A list of titles: sent in parts, shown as a table that can be sorted, kept as CSV. */
import { downloadCsv, writeCsv } from "./csv.js";
import { byId, confidenceBar, decisionBadge, element, formatMs, formatNumber, matchName, matchText } from "./dom.js";
import { classify, persist } from "./service.js";

/* Small enough for the progress to move, large enough to fill the service's batches. */
const PART = 50;

/* Why work is aborted that may be continued. */
export const CANCELLED = "cancelled";

/* Of one title: {number, title, result, line}; result: of the answer, or {matches: [], error}; line: its <tr>. */
let rows = [];
let settings = {};
let sorting = { by: "number", down: false };
let busyMs = 0;

const section = byId("list");
const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

const SORT_KEYS = {
  number: (row) => row.number,
  title: (row) => row.title,
  code: (row) => row.result?.matches[0]?.code,
  occupation: (row) => row.result?.matches[0] && matchText(row.result.matches[0]),
  confidence: (row) => row.result?.matches[0]?.confidence,
  decision: (row) => row.result?.decision,
};

function compare(a, b) {
  return typeof a === "number" ? a - b : collator.compare(a, b);
}

/* Rows without a value stay behind the others either way; equal ones in the order of the list. */
function sortRows() {
  const keyOf = SORT_KEYS[sorting.by];
  const sorted = rows.toSorted((left, right) => {
    const a = keyOf(left), b = keyOf(right);
    if (a === undefined || b === undefined) return (a === undefined) - (b === undefined) || left.number - right.number;
    return (sorting.down ? compare(b, a) : compare(a, b)) || left.number - right.number;
  });
  byId("rows").replaceChildren(...sorted.map((row) => row.line));
  for (const button of section.querySelectorAll("[data-sort]")) {
    const header = button.closest("th");
    if (button.dataset.sort === sorting.by) header.setAttribute("aria-sort", sorting.down ? "descending" : "ascending");
    else header.removeAttribute("aria-sort");
  }
}

function cell(className, ...children) {
  return element("td", { role: "cell", className }, ...children);
}

function showOthers(matches) {
  if (!matches.length) return [];
  const items = matches.map((match) => element("li", {}, ...matchName(match), " ", element("code", {}, match.code), " ",
    confidenceBar(match.confidence)));
  const list = element("ol", { start: 2 }, ...items);
  return [element("details", {}, element("summary", {}, `${matches.length} more`), list)];
}

function fillLine(row) {
  const [first, ...others] = row.result?.matches ?? [];
  const start = [cell("number", String(row.number)), cell("title", row.title)];
  if (first) {
    row.line.replaceChildren(...start, cell("code", element("code", {}, first.code)),
      cell("occupation", ...matchName(first), ...showOthers(others)), cell("", confidenceBar(first.confidence)),
      cell("decision", decisionBadge(row.result.decision)));
  } else {
    const words = row.result ? row.result.error.detail : "waiting";
    const empty = ["code", "", "decision"].map((name) => cell(name));
    row.line.className = row.result ? "refused" : "waiting";
    row.line.replaceChildren(...start, empty[0], cell("occupation", words), empty[1], empty[2]);
  }
  if (first) row.line.className = "";
}

function countBy(test) {
  return rows.reduce((n, row) => n + (test(row) ? 1 : 0), 0);
}

function showProgress() {
  const done = countBy((row) => row.result);
  const counts = [
    [countBy((row) => row.result?.decision === "accept"), "to accept"],
    [countBy((row) => row.result?.decision === "review"), "to review"],
    [countBy((row) => row.result?.error), "not classified"],
  ];
  byId("progress").max = rows.length;
  byId("progress").value = done;
  const words = [`${formatNumber(done)} of ${formatNumber(rows.length)} titles`,
    ...counts.filter(([n]) => n).map(([n, what]) => `${formatNumber(n)} ${what}`)];
  if (done) words.push(formatMs(busyMs));
  byId("list-summary").textContent = words.join(" · ");
  return done;
}

function refuse(row, detail) {
  row.result = { matches: [], error: { detail } };
  fillLine(row);
}

/* The row of a part that a problem's pointer means, if it means one. */
function rowMeant(part, pointer) {
  const match = /^\/postings\/(\d+)(\/|$)/.exec(pointer);
  return match ? part[Number(match[1])] : undefined;
}

/* Sends part of the rows; true where that brought the list on, false where a smaller part should be tried. */
async function runPart(part, signal, onWait) {
  const request = { ...settings, postings: part.map((row) => ({ title: row.title })) };
  try {
    const { answer } = await persist(() => classify(request, signal), signal, onWait);
    part.forEach((row, i) => {
      row.result = answer.results[i];
      fillLine(row);
    });
  } catch (trouble) {
    const row = rowMeant(part, trouble.pointer);
    if (row) {
      refuse(row, trouble.message);
    } else if (part.length > 1 && ["too_many_postings", "body_too_large", "deadline_exceeded"].includes(trouble.code)) {
      return false;
    } else {
      throw trouble;
    }
  }
  return true;
}

function setRunning(running) {
  const left = rows.some((row) => !row.result);
  byId("cancel").hidden = !running;
  byId("continue").hidden = running || !left;
  section.setAttribute("aria-busy", String(running));
}

/* Classifies what is not yet; returns the outcome in words. Throws Trouble, or what aborted it; rows that are done
 * stay. */
export async function continueList(signal, onWait) {
  let size = PART;
  setRunning(true);
  try {
    for (let left; (left = rows.filter((row) => !row.result)).length > 0;) {
      const start = performance.now();
      if (!await runPart(left.slice(0, size), signal, onWait)) size = Math.ceil(size / 2);
      signal.throwIfAborted();
      busyMs += performance.now() - start;
      showProgress();
      if (sorting.by !== "number") sortRows();
    }
    return `${formatNumber(rows.length)} titles classified.`;
  } finally {
    /* What was replaced by other work has nothing to say any more. */
    if (!signal.aborted || signal.reason === CANCELLED) setRunning(false);
    if (signal.reason === CANCELLED) byId("continue").focus();
  }
}

/* Begins another list. newSettings: top_n and level as the service takes them. */
export function startList(titles, newSettings) {
  settings = newSettings;
  busyMs = 0;
  sorting = { by: "number", down: false };
  rows = titles.map((title, i) => ({ number: i + 1, title, line: element("tr", { role: "row" }) }));
  rows.forEach(fillLine);
  sortRows();
  showProgress();
  byId("list-heading").textContent = `${formatNumber(rows.length)} titles`;
  section.hidden = false;
}

export function hideList() {
  section.hidden = true;
  rows = [];
  byId("rows").replaceChildren();
}

function download() {
  const n = Math.max(1, ...rows.map((row) => row.result?.matches.length ?? 0));
  const ranks = Array.from({ length: n }, (_, i) => i + 1);
  const head = ["row", "title", "decision", "error",
    ...ranks.flatMap((rank) => [`code_${rank}`, `occupation_${rank}`, `confidence_${rank}`])];
  const lines = rows.map(({ number, title, result }) => [number, title, result?.decision, result?.error?.detail,
    ...ranks.flatMap((rank) => {
      const match = result?.matches[rank - 1];
      return match ? [match.code, matchText(match), match.confidence] : ["", "", ""];
    })]);
  downloadCsv("jobcode.csv", writeCsv([head, ...lines]));
}

for (const button of section.querySelectorAll("[data-sort]")) {
  button.addEventListener("click", () => {
    const by = button.dataset.sort;
    /* Confidence from the top first: that is what is looked for. */
    sorting = { by, down: sorting.by === by ? !sorting.down : by === "confidence" };
    sortRows();
  });
}
byId("download").addEventListener("click", download);
