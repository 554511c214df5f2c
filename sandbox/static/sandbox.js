/* Forms that work without leaving the page. Without this file they work too, page by page.
 *
 * data-swap="a b"      send the form in the background and take over the elements with these ids from the page that comes back
 * data-as-you-type     send whenever its text changes
 * data-on-change       send whenever a field has been changed
 */
"use strict";

const WAIT = 200; // milliseconds of no typing
const NO_ANSWER = "The sandbox does not answer. Is it still running?";
const waiting = new Set();
let posts = Promise.resolve();
let searching = new AbortController();

/* A later search takes the place of an earlier one. What is written is written in the order of the clicks, each of which counts; only
 * the same click once more, before the first was answered, is one with it. */
function send(form, submitter) {
  const fields = new URLSearchParams(new FormData(form, submitter));
  if (form.method === "get") {
    searching.abort();
    searching = new AbortController();
    exchange(form, fields, searching.signal);
    return;
  }
  const key = `${form.action} ${fields}`;
  if (waiting.has(key)) return;
  waiting.add(key);
  posts = posts.then(() => exchange(form, fields)).finally(() => waiting.delete(key));
}

async function exchange(form, fields, signal) {
  const ids = ["status", "switched", ...form.dataset.swap.split(" ")];
  setBusy(ids, true);
  try {
    const [page, isAsAsked] = await fetchPage(form, fields, signal);
    if (!signal?.aborted) swap(page, isAsAsked ? ids : ["status", "main"]); // a refusal is a page of its own
  } catch (error) {
    if (error.name !== "AbortError") say(NO_ANSWER);
  } finally {
    setBusy(ids, false);
  }
}

async function fetchPage(form, fields, signal) {
  const isGet = form.method === "get";
  const address = isGet ? `${form.action}?${fields}` : form.action;
  const response = await fetch(address, { method: form.method, body: isGet ? null : fields, signal });
  if (isGet) history.replaceState(null, "", address);
  return [new DOMParser().parseFromString(await response.text(), "text/html"), response.ok];
}

function swap(page, ids) {
  const open = [...document.querySelectorAll("details[open][id]")].map((one) => one.id);
  const before = document.activeElement;
  const card = before?.closest("article[id]")?.id;
  for (const id of ids) {
    const fresh = page.getElementById(id);
    if (fresh) document.getElementById(id)?.replaceChildren(...document.importNode(fresh, true).childNodes);
  }
  open.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
  for (const id of [before?.id, card, "status"]) {
    if (document.activeElement !== document.body) break;
    document.getElementById(id)?.focus({ preventScroll: true });
  }
  keepTyping(before, document.activeElement);
}

/* What was typed while the page was on its way is not lost; what was not typed is as the page says. */
function keepTyping(before, now) {
  if (before === now || before?.id !== now?.id || !now.matches("input, textarea") || !isTyped(before)) return;
  now.value = before.value;
  now.setSelectionRange?.(before.selectionStart, before.selectionEnd);
  now.addEventListener("blur", () => isTyped(now) && now.form?.matches("[data-on-change]") && send(now.form), { once: true });
  holdSigning();
}

function isTyped(field) {
  return field.value !== field.defaultValue;
}

/* Nobody signs while a field of a draft shows something that is not in the draft. */
function holdSigning() {
  const fields = [...document.querySelectorAll("form[data-on-change] input:not([type=hidden])")];
  const button = document.getElementById("sign-now");
  if (button) button.disabled = fields.some(isTyped);
}

function setBusy(ids, busy) {
  ids.forEach((id) => document.getElementById(id)?.setAttribute("aria-busy", String(busy)));
}

function say(text) {
  const line = document.createElement("p");
  line.className = "said trouble";
  line.textContent = text;
  document.getElementById("status").replaceChildren(line);
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-swap]")) return;
  event.preventDefault();
  send(event.target, event.submitter);
});

let typing;
document.addEventListener("input", (event) => {
  holdSigning();
  const form = event.target.closest("form[data-as-you-type]");
  if (!form) return;
  clearTimeout(typing);
  typing = setTimeout(() => send(form), WAIT);
});

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-on-change]");
  if (form) send(form);
});
