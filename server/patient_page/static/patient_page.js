// The page works without this file. It adds a print button, and keeps sections open when the page is loaded again.
"use strict";

const print = document.querySelector("button.print");
if (print) {
  print.hidden = false;
  print.addEventListener("click", () => window.print());
}

// Only names of sections are kept, for this tab and this launch; nothing of what they say.
const key = `opened ${location.pathname}`;
const sections = [...document.querySelectorAll("main details[id]")];
const opened = new Set(JSON.parse(sessionStorage.getItem(key) || "[]"));
for (const section of sections) {
  if (opened.has(section.id)) section.open = true;
  section.addEventListener("toggle", () => {
    const open = sections.filter((one) => one.open).map((one) => one.id);
    sessionStorage.setItem(key, JSON.stringify(open));
  });
}

// A link to a statement opens the section that it stands in.
function reveal() {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let box = target && target.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
  if (target) target.scrollIntoView();
}
window.addEventListener("hashchange", reveal);
reveal();
