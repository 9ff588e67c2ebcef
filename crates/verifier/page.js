"use strict";
// The check itself is the program's own code, compiled to WebAssembly, gzip and base64; it imports nothing.
const packed = "{{wasm}}";
const words = {
  outcome: {
    "holds": ["The evidence holds.", "La preuve tient."],
    "not-established": ["Consistent; controller not established.", "Cohérente ; responsable de traitement non établi."],
    "not-certified": ["What is there agrees; the migration is not certified.", "Ce qui est là concorde ; la migration n’est pas attestée."],
    "refused": ["The evidence does not hold.", "La preuve ne tient pas."],
    "broken": ["This browser cannot run the check.", "Ce navigateur ne peut exécuter la vérification."],
  },
  state: {
    "holds": ["holds", "tient"],
    "fails": ["does not hold", "ne tient pas"],
    "lost": ["cannot be recomputed", "ne peut plus être recalculé"],
    "absent": ["not there", "absent"],
    "uncovered": ["covered by no signature", "couvert par aucune signature"],
  },
};
const by = id => document.getElementById(id);
const place = by("lines");
let french = navigator.language.startsWith("fr");
let file = null, verdict = null;

async function started() {
  const bytes = Uint8Array.from(atob(packed), c => c.charCodeAt(0));
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const { instance } = await WebAssembly.instantiate(await new Response(plain).arrayBuffer(), {});
  return instance.exports;
}
const check = started();

function put(machine, reserve, bytes) {
  const at = reserve(bytes.length);
  // the memory may have grown and moved
  new Uint8Array(machine.memory.buffer, at, bytes.length).set(bytes);
}

async function judge() {
  if (!file) return;
  const name = file.name;
  try {
    const machine = await check;
    put(machine, machine.evidence, new Uint8Array(await file.arrayBuffer()));
    put(machine, machine.trust, new TextEncoder().encode(by("trust").value));
    const length = machine.verify();
    const said = new Uint8Array(machine.memory.buffer, machine.said(), length);
    verdict = { ...JSON.parse(new TextDecoder().decode(said)), name };
  } catch (fault) {
    verdict = { outcome: "broken", lines: [], name };
  }
  show();
}

function element(tag, text, kind) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function show() {
  const lang = french ? "fr" : "en", at = french ? 1 : 0;
  document.documentElement.lang = lang;
  for (const one of document.querySelectorAll("[data-en]")) one.textContent = one.dataset[lang];
  for (const id of ["fr", "en"]) by(id).setAttribute("aria-pressed", String(id === lang));
  if (!verdict) return;
  by("verdict").hidden = false;
  by("outcome").textContent = words.outcome[verdict.outcome][at];
  by("outcome").className = verdict.outcome;
  by("name").textContent = verdict.name;
  place.replaceChildren();
  let of = null, list = null;
  for (const line of verdict.lines) {
    if (line.of !== of) {
      of = line.of;
      list = document.createElement("ul");
      place.append(element("h2", of, "file"), list);
    }
    const item = element("li", "", line.state);
    item.append(element("b", words.state[line.state][at]), element("span", line[lang]));
    if (line.finding) {
      const finding = element("span", line.finding, "file");
      finding.lang = "en";
      item.append(finding);
    }
    list.append(item);
  }
}

by("file").addEventListener("change", event => { file = event.target.files[0] || null; judge(); });
by("trust").addEventListener("input", () => judge());
by("form").addEventListener("submit", event => event.preventDefault());
for (const id of ["fr", "en"]) by(id).addEventListener("click", () => { french = id === "fr"; show(); });
const drop = by("drop");
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, event => {
    event.preventDefault();
    drop.classList.toggle("over", kind === "dragover");
    if (kind === "drop" && event.dataTransfer.files.length) { file = event.dataTransfer.files[0]; judge(); }
  });
}
show();
