/* The page at /docs: its examples call the server that it came from, and can be copied. */

for (const origin of document.querySelectorAll("[data-origin]")) {
  origin.textContent = location.origin;
}

/* On a phone the contents would fill the first screen. */
if (matchMedia("(max-width: 56rem)").matches) {
  for (const part of document.querySelectorAll(".contents details")) {
    part.open = false;
  }
}

async function copy(button, text) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Not allowed";
  }
  setTimeout(() => (button.textContent = "Copy"), 2000);
}

/* Only a page from a secure address, or from this machine, has a clipboard. */
if (navigator.clipboard) {
  for (const block of document.querySelectorAll(".copied")) {
    const code = block.querySelector("pre");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.setAttribute("aria-label", `Copy ${code.getAttribute("aria-label")}`);
    button.addEventListener("click", () => copy(button, code.textContent));
    block.append(button);
  }
}
