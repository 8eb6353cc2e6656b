/* Pieces of the page. Text goes in as text: nothing that a service or a user sends becomes markup. */

/* element("a", {href: "/"}, "text", child...): properties, with dashes attributes. */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [property, value] of Object.entries(properties)) {
    if (property.includes("-") || property === "role") made.setAttribute(property, value);
    else made[property] = value;
  }
  made.append(...children);
  return made;
}

export function byId(id) {
  return document.getElementById(id);
}

const numbers = new Intl.NumberFormat("en");
const percents = new Intl.NumberFormat("en", { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });

export function formatNumber(value) {
  return numbers.format(value);
}

export function formatPercent(share) {
  return percents.format(share);
}

export function formatMs(ms) {
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms.toFixed(ms < 1 ? 2 : ms < 10 ? 1 : 0)} ms`;
}

export function confidenceBar(confidence) {
  const fill = element("span", { className: "fill" });
  fill.style.inlineSize = `${100 * confidence}%`;
  return element("span", { className: "confidence" },
    element("span", { className: "track", "aria-hidden": "true" }, fill),
    element("span", { className: "percent" }, formatPercent(confidence)));
}

const DECISIONS = {
  accept: ["Accept", "Sure enough to be used without a look."],
  review: ["Review", "Not sure enough: a person should look."],
};

export function decisionBadge(decision) {
  return element("span", { className: `badge ${decision}` }, DECISIONS[decision][0]);
}

/* of: a result. The threshold was made for occupations; of groups nobody measured how often it is right. */
export function decisionWords(of) {
  if (of.decision === "accept" && of.matches[0].best) return "Passes the threshold that was made for occupations.";
  return DECISIONS[of.decision][1];
}

/* The occupation's page where the code has one: O*NET-SOC codes alone do. */
export function occupationLink(code, text) {
  if (!/^\d\d-\d{4}\.\d\d$/.test(code)) return element("span", {}, text);
  const href = `https://www.onetonline.org/link/summary/${code}`;
  return element("a", { href, target: "_blank", rel: "noopener noreferrer" }, text);
}

/* A match's name as plain text; not every group has one. */
export function matchText(match) {
  return match.title ?? `Group ${match.code}`;
}

/* Its name, and of a group the occupation that is the most of it: pieces to append. */
export function matchName(match) {
  if (!match.best) return [occupationLink(match.code, match.title)];
  const best = element("span", { className: "best" }, "mostly ", occupationLink(match.best.code, match.best.title));
  return [element("span", { className: "group" }, match.title ?? "Group"), " ", best];
}
