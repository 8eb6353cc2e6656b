/* Results as a file for spreadsheets: CSV as in RFC 4180. */

/* What a spreadsheet would take for a formula gets an apostrophe before it: titles come from strangers. */
function disarm(text) {
  return /^[\s]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]|^[\t\r\n]/.test(text) ? `'${text}` : text;
}

function writeField(value) {
  const text = typeof value === "number" ? String(value) : disarm(String(value ?? ""));
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/* table: [rows][fields], numbers and text. */
export function writeCsv(table) {
  return table.map((fields) => `${fields.map(writeField).join(",")}\r\n`).join("");
}

/* Offers the text as a file. The mark before it tells spreadsheets that it is UTF-8. */
export function downloadCsv(name, text) {
  const address = URL.createObjectURL(new Blob(["\uFEFF", text], { type: "text/csv;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
}
