/* A file that is dropped or chosen is sent at once, and how much of it was sent is shown. The form
   works without this; here nothing is recorded either. */
"use strict";
(() => {
  const of = (selector, form) => form.querySelector(selector);
  const tell = (form, name) => {
    const said = of("[data-tells]", form);
    said.textContent = name ? said.dataset[name] : "";
    said.hidden = !name;
  };
  const show = (form, on) => {
    of("[data-sending]", form).hidden = !on;
    for (const button of form.querySelectorAll("button:not([data-stops])")) button.disabled = on;
  };
  const send = (form) => {
    const file = of("input[type=file]", form).files[0];
    tell(form, "");
    if (!file) return false;
    if (file.size > Number(form.dataset.limit)) return tell(form, "large"), true;
    const request = new XMLHttpRequest();
    const bar = of("progress", form);
    const state = of("[data-states]", form);
    const ended = (name) => { show(form, false); tell(form, name); };
    request.upload.onprogress = (event) => {
      const part = event.total ? Math.floor((100 * event.loaded) / event.total) : 0;
      bar.value = part;
      state.textContent = `${state.dataset.sent}: ${part} %`;
    };
    request.upload.onload = () => { state.textContent = state.dataset.reads; bar.removeAttribute("value"); };
    request.onerror = () => ended("lost");
    request.onabort = () => ended("stopped");
    request.onload = () => {
      const where = request.getResponseHeader("HX-Redirect");
      if (where) return location.assign(where);
      if (!request.responseText) return ended("lost");
      const main = document.getElementById("main");
      main.innerHTML = request.responseText; // a page of this server; it runs no script
      (main.querySelector("[aria-invalid=true]") ?? main.querySelector("h1"))?.focus();
    };
    of("[data-stops]", form).onclick = () => request.abort();
    request.open("POST", form.action);
    request.setRequestHeader("HX-Request", "true");
    show(form, true);
    request.send(new FormData(form));
    return true;
  };
  addEventListener("submit", (event) => {
    if (event.target.matches("form[data-sends]") && send(event.target)) event.preventDefault();
  });
  addEventListener("change", (event) => {
    const form = event.target.closest("form[data-sends]");
    if (form && event.target.type === "file") send(form);
  });
  const zone = () => document.querySelector("[data-drops]");
  addEventListener("dragover", (event) => {
    if (!zone()) return;
    event.preventDefault();
    zone().classList.add("over");
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) zone()?.classList.remove("over");
  });
  addEventListener("drop", (event) => {
    if (!zone()) return;
    event.preventDefault(); // wherever it falls, the browser does not leave the page for it
    zone().classList.remove("over");
    const form = zone().closest("form");
    const files = event.dataTransfer.files;
    if (files.length > 1) return tell(form, "many");
    if (!files.length) return;
    of("input[type=file]", form).files = files;
    send(form);
  });
})();
