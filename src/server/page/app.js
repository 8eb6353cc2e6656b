/* The page at /: what is typed decides whether one title or a list is shown; single.js and list.js show it. */
import { byId, element, formatNumber } from "./dom.js";
import { CANCELLED, continueList, hideList, startList } from "./list.js";
import { describeModel, MAX_TITLES, persist, setKey, Trouble } from "./service.js";
import { hideSingle, runSingle } from "./single.js";

const TYPING_MS = 250;
const LIST_EXAMPLE = ["Registered Nurse - ICU", "Sr. Java Developer", "CDL-A Truck Driver", "Line Cook",
  "Staff Accountant", "Warehouse Associate (Nights)", "Elementary School Teacher", "Dental Hygienist PRN",
  "HVAC Service Technician", "Manager"];

const form = byId("form"), input = byId("titles"), level = byId("level"), topN = byId("top-n");

/* On a screen keyboard Enter is the only way to another line. */
const byTouch = matchMedia("(pointer: coarse)");

/* The work under way; what is newer aborts it. */
let work = new AbortController();
let typing = 0;

function begin() {
  work.abort("replaced");
  work = new AbortController();
  return work.signal;
}

function readTitles() {
  return input.value.split("\n").map((line) => line.trim()).filter(Boolean);
}

function readSettings() {
  return { top_n: topN.valueAsNumber, ...(level.value && { level: level.value }) };
}

function say(text) {
  byId("status").textContent = text;
}

function showTrouble(trouble) {
  byId("trouble").textContent = trouble;
  if (trouble) say("");
}

/* Each second of a wait is to be seen; to be heard is only its beginning. */
function showWait(trouble, left) {
  if (!trouble) {
    byId("trouble").replaceChildren();
    return;
  }
  const ticking = byId("trouble").querySelector("[data-left]");
  if (ticking) {
    ticking.textContent = `Trying again in ${left} s.`;
    return;
  }
  byId("trouble").replaceChildren(trouble.message, " ",
    element("span", { className: "only-heard" }, `Trying again in ${left} seconds.`),
    element("span", { "data-left": "", "aria-hidden": "true" }, `Trying again in ${left} s.`));
  say("");
}

/* Runs a piece of work; only the newest may say how it went. */
async function report(run) {
  const signal = begin();
  showTrouble("");
  try {
    const words = await run(signal);
    if (!signal.aborted) say(words);
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof Trouble)) throw error;
    showTrouble(error.message);
    if (error.status === 401) byId("key-box").open = true;
  }
}

function showHint(n) {
  if (n > MAX_TITLES) {
    byId("hint").textContent = `${formatNumber(n)} titles; the page takes ${formatNumber(MAX_TITLES)} at once.`;
  } else if (n > 1) {
    byId("hint").textContent = `${formatNumber(n)} titles.` +
      (byTouch.matches ? "" : " Classify them with Ctrl+Enter.");
  } else {
    byId("hint").textContent = `Answers come as you type. Paste a list of up to ${formatNumber(MAX_TITLES)} titles, or ` +
      `begin another line${byTouch.matches ? "" : " with Shift+Enter"}.`;
  }
  byId("classify").textContent = n > 1 ? `Classify ${formatNumber(n)} titles` : "Classify";
}

/* A single title can be shared: behind the #, so that no server's log has it. */
function setAddress(title) {
  const values = new URLSearchParams({ ...(title && { title }), ...(title && readSettings()) });
  history.replaceState(null, "", values.size ? `/#${values}` : "/");
}

function clear() {
  begin();
  hideSingle();
  hideList();
  showTrouble("");
  say("");
  setAddress("");
  byId("examples").hidden = false;
}

function classifySingle(title) {
  hideList();
  byId("examples").hidden = true;
  setAddress(title);
  report(async (signal) => {
    try {
      return await runSingle({ title, ...readSettings() }, signal, (...wait) => signal.aborted || showWait(...wait));
    } catch (error) {
      if (!signal.aborted) hideSingle();
      throw error;
    }
  });
}

function goOnWithList() {
  say("Classifying…");
  report((signal) => continueList(signal, (...wait) => signal.aborted || showWait(...wait)));
}

function classifyNow() {
  clearTimeout(typing);
  if (!form.reportValidity()) return;
  const titles = readTitles();
  if (titles.length === 0) {
    clear();
    input.focus();
  } else if (titles.length === 1) {
    classifySingle(titles[0]);
  } else if (titles.length > MAX_TITLES) {
    begin();
    showTrouble(`These are ${formatNumber(titles.length)} titles; the page takes ${formatNumber(MAX_TITLES)} at once.`);
  } else {
    hideSingle();
    setAddress("");
    byId("examples").hidden = true;
    startList(titles, readSettings());
    goOnWithList();
  }
}

/* While one title is typed it is classified after each pause; a list waits until it is asked for. */
function typed() {
  const n = readTitles().length;
  clearTimeout(typing);
  showHint(n);
  if (n === 0) clear();
  else if (n === 1 && topN.validity.valid) typing = setTimeout(classifyNow, TYPING_MS);
}

function put(titles) {
  input.value = titles.join("\n");
  showHint(titles.length);
  classifyNow();
}

function readAddress() {
  const values = new URLSearchParams(location.hash.slice(1) || location.search);
  if ([...level.options].some((option) => option.value === values.get("level"))) level.value = values.get("level");
  if (/^\d+$/.test(values.get("top_n"))) topN.value = values.get("top_n");
  const title = values.get("title")?.replace(/\s+/g, " ").trim();
  if (title) put([title]);
}

async function showModel() {
  const signal = new AbortController().signal;
  const onWait = (trouble, left) => input.value || showWait(trouble, left);
  try {
    const { answer } = await persist(() => describeModel(signal), signal, onWait);
    byId("model").textContent = `Model ${answer.model}, ${formatNumber(answer.categories)} categories of ` +
      `${answer.taxonomy}. ${answer.attribution}`;
  } catch (trouble) {
    if (!(trouble instanceof Trouble)) throw trouble;
    if (!input.value) showTrouble(trouble.message);
    if (trouble.status === 401) byId("key-box").open = true;
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  classifyNow();
});
input.addEventListener("input", typed);
input.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  /* In a list, Enter is for the next line. */
  if (!event.ctrlKey && !event.metaKey && (byTouch.matches || readTitles().length > 1)) return;
  event.preventDefault();
  classifyNow();
});
for (const control of [level, topN]) {
  control.addEventListener("input", typed);
}
byId("key").addEventListener("change", () => {
  setKey(byId("key").value);
  if (!byId("model").textContent) showModel();
  if (readTitles().length === 1) classifyNow();
});
byId("cancel").addEventListener("click", () => {
  work.abort(CANCELLED);
  showTrouble("");
  say("Cancelled. What is classified stays; Continue goes on with the rest.");
});
byId("continue").addEventListener("click", goOnWithList);
for (const button of byId("examples").querySelectorAll("button")) {
  button.addEventListener("click", () => put("list" in button.dataset ? LIST_EXAMPLE : [button.textContent]));
}
addEventListener("hashchange", readAddress);

showHint(0);
showModel();
readAddress();
