/* What a page does beyond links and forms, all of which work without it: keys, the palette, the
   dialog of a decision, the lock of a page that nobody works at. Nothing here decides anything. */
"use strict";
(() => {
  const $ = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const body = document.body;

  // The viewer's time zone, for the next page that the server writes.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) document.cookie = `zone=${zone}; path=/; max-age=31536000; samesite=lax; secure`;

  // On a small window the main navigation and tabs are scrolled to where one is.
  for (const here of all(":is(.top nav, .tabs) [aria-current]")) {
    here.parentElement.scrollLeft = here.offsetLeft - here.parentElement.offsetLeft - 40;
  }

  // A button that saves says so, and is pressed once.
  const busy = (form, on) => {
    for (const button of all("button:not([type=button])", form)) {
      if (on && !button.dataset.word) {
        button.dataset.word = button.textContent;
        button.textContent = form.dataset.saves;
      } else if (!on && button.dataset.word) {
        button.textContent = button.dataset.word;
        delete button.dataset.word;
      }
      button.disabled = on;
    }
  };
  const turns = new WeakMap(); // by form: a button is off only when the form is on its way
  addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.saves) turns.set(form, setTimeout(() => busy(form, true)));
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) all("form[data-saves]").forEach((form) => busy(form, false));
  });

  // Dialogs: opened by a button, closed by Escape, by Cancel, and by what lies behind them.
  let opener = null;
  const open = (dialog) => {
    if (dialog.open) return;
    opener = document.activeElement;
    dialog.showModal();
  };
  all("dialog").forEach((dialog) => {
    dialog.addEventListener("close", () => {
      if (dialog.id === "dialog") dialog.replaceChildren();
      if (opener?.isConnected) opener.focus();
    });
  });
  addEventListener("click", (event) => {
    const button = event.target.closest("[data-opens]");
    if (button) open(document.getElementById(button.dataset.opens));
    const closer = event.target.closest("dialog [data-closes]");
    if (closer) {
      event.preventDefault();
      closer.closest("dialog").close();
    }
    const menu = $("details.me[open]");
    if (menu && !menu.contains(event.target)) menu.open = false;
  });
  addEventListener("keydown", (event) => {
    const menu = $("details.me[open]");
    if (event.key !== "Escape" || !menu) return;
    menu.open = false;
    $("summary", menu).focus();
  });

  // A page that tells what is wrong with a form begins there; who has begun elsewhere stays: what
  // they type might be a password.
  if (document.activeElement === body) ($("main [aria-invalid=true]") ?? $("main [data-refused]"))?.focus();

  // htmx: what came is shown; what did not come is told, and nothing that was typed is lost.
  const offline = $("#offline");
  const source = (event) => event.detail?.ctx?.sourceElement ?? event.target;
  addEventListener("htmx:before:request", () => body.setAttribute("aria-busy", "true"));
  addEventListener("htmx:finally:request", (event) => {
    body.removeAttribute("aria-busy");
    const form = source(event).closest?.("form[data-saves]");
    if (form?.isConnected) {
      clearTimeout(turns.get(form)); // a request that fails at once is over before that
      busy(form, false);
    }
  });
  addEventListener("htmx:error", () => { offline.hidden = false; });
  // What stands before the server answers for it, or a page without the part that was asked for.
  addEventListener("htmx:before:response", (event) => {
    const { response, select } = event.detail.ctx;
    const isOurs = /hx-request/i.test(response.headers.get("vary") ?? "");
    if (response.status < 500 || (isOurs && !select)) return;
    event.preventDefault();
    offline.hidden = false;
  });
  addEventListener("htmx:after:swap", (event) => {
    offline.hidden = true;
    const target = event.detail?.ctx?.target ?? event.target;
    if (target.id === "dialog") {
      target.setAttribute("aria-labelledby", "dialog-title");
      open(target);
      (all("[aria-invalid=true]", target)[0] ?? $("form :is(input:not([type=hidden], [readonly]), select)", target) ?? $("a, button", target))?.focus();
    }
    if (target.id === "result") choose();
    if (target.id === "found" && chosen) enter();
  });
  const choose = () => {
    const wanted = new URLSearchParams(location.search).get("show");
    for (const row of all("[data-rows=results] tr[data-sign]")) {
      const link = $("a", row);
      const is = new URL(link.href).searchParams.get("show") === wanted;
      row.toggleAttribute("data-chosen", is);
      if (is) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  };

  // Keys. They can be switched off, and none is taken while somebody types.
  const switched = $("#keys-on");
  const KEPT = "batchqc-keys";
  if (switched) {
    switched.checked = localStorage.getItem(KEPT) !== "off";
    switched.addEventListener("change", () => {
      localStorage.setItem(KEPT, switched.checked ? "on" : "off");
    });
  }
  const rows = () => all("[data-rows] tbody tr:not(.group)").filter((row) => $("a", row));
  const step = (by, fits = () => true) => {
    const list = rows();
    const at = list.findIndex((row) => row.contains(document.activeElement));
    for (let n = at + by; n >= 0 && n < list.length; n += by) {
      if (fits(list[n])) return $("a", list[n]).focus();
    }
  };
  let waits = 0;
  const go = (letter) => {
    const found = all("#palette .places kbd + kbd").find((kbd) => kbd.textContent === letter);
    if (found) location.assign(found.closest("a").href);
    return Boolean(found);
  };
  const ACTS = {
    "/": () => $("#search")?.focus(),
    "?": () => open($("#keys")),
    j: () => step(1),
    k: () => step(-1),
    n: () => step(1, (row) => /^(bad|open|trend)$/.test(row.dataset.sign ?? "")),
    r: () => $("#release")?.click(),
    g: () => { waits = Date.now(); },
  };
  addEventListener("keydown", (event) => {
    if (!$("#keys") || event.defaultPrevented || $("#lock[open]")) return;
    if ((event.ctrlKey || event.metaKey) && event.key === "k") {
      event.preventDefault();
      open($("#palette"));
      $("#palette input").focus();
      return;
    }
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (typing?.id === "search" && event.key === "Escape") typing.blur();
    if (typing || event.ctrlKey || event.metaKey || event.altKey || !switched.checked) return;
    if ($("dialog[open]")) return;
    if (Date.now() - waits < 1500 && go(event.key)) {
      waits = 0;
      event.preventDefault();
    } else if (event.key in ACTS) {
      event.preventDefault();
      ACTS[event.key]();
    }
  });
  const palette = $("#palette");
  // Enter goes to what is typed, and waits for it: what stands there may be of what was typed before.
  let chosen = false;
  const enter = () => {
    const typed = $("input", palette).value;
    chosen = typed !== ($("#found [data-found]")?.dataset.found ?? "");
    if (chosen) return;
    ($("#found a") ?? all("a", palette).find((link) => !link.closest("[hidden]")))?.click();
  };
  palette?.addEventListener("close", () => { chosen = false; });
  palette?.addEventListener("keydown", (event) => {
    const links = all("a", palette).filter((link) => !link.hidden && !link.closest("[hidden]"));
    const at = links.indexOf(document.activeElement);
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const next = links[at + (event.key === "ArrowDown" ? 1 : -1)];
      (next ?? $("input", palette)).focus();
    } else if (event.key === "Escape") {
      event.preventDefault(); // else it clears the field first
      palette.close();
      $("input", palette).blur(); // at once, so that the next key is not typed into it
    } else if (event.key === "Enter" && at < 0) {
      event.preventDefault();
      enter();
    }
  });
  palette && $("input", palette).addEventListener("input", (event) => {
    chosen = false;
    const text = event.target.value.trim().toLowerCase();
    for (const item of all(":scope > .places li", palette)) {
      const fits = item.textContent.toLowerCase().includes(text);
      item.hidden = !fits || (!text && "further" in item.dataset);
    }
  });

  // The lock. It ends the session on the server; what was typed stays in the page, as long again as
  // nobody worked at it. Then nothing of the page is left, whether the server answers or not.
  const lock = $("#lock");
  if (lock) {
    const idle = Number(body.dataset.idleSeconds) * 1000;
    let left = Number(body.dataset.secondsLeft) * 1000;
    const warn = $("#warn");
    let token = body.dataset.formToken;
    let began = Date.now();
    let seen = Date.now();
    let locked = 0;
    const beside = new BroadcastChannel("alive"); // one session has many pages; work at one counts
    let spoke = 0;
    let told = seen;
    const alive = () => {
      if (lock.open) return;
      seen = Date.now();
      warn.hidden = true;
    };
    const touched = () => {
      alive();
      if (lock.open || seen - spoke < 1000) return;
      spoke = seen;
      beside.postMessage("");
      if (seen - told < idle / 5) return;
      told = seen; // who works at a page that asks for nothing keeps the session all the same
      fetch("/alive", { method: "POST", body: new URLSearchParams({ token }) })
        .then(({ status }) => { if (status === 401) shut(true); }, () => {});
    };
    // A session that began beside this page, of the same person, is this page's too: what was typed
    // here is sent with it. It lasts as long as that one, however old this page is.
    const goOn = (begun) => {
      if (begun.user !== body.dataset.user || begun.token === token) return;
      token = begun.token;
      for (const field of all("input[name=token]")) field.value = token;
      left = begun.left * 1000;
      began = seen = Date.now();
      warn.hidden = true;
      body.classList.remove("locked");
      lock.close();
      lock.replaceChildren();
    };
    beside.onmessage = ({ data }) => (data.over ? shut(true) : data ? goOn(data) : alive());
    beside.postMessage({ user: body.dataset.user, token, left: left / 1000 });
    for (const what of ["pointermove", "pointerdown", "keydown", "scroll"]) {
      addEventListener(what, touched, { passive: true });
    }
    const shut = (isOver) => {
      if (lock.open) return;
      locked = Date.now();
      warn.hidden = true;
      if (!isOver) fetch("/lock", { method: "POST", body: new URLSearchParams({ token }) }).catch(() => {});
      body.classList.add("locked");
      opener = document.activeElement;
      lock.replaceChildren($("#lock-form").content.cloneNode(true));
      $("#unlock").addEventListener("submit", unlock);
      lock.showModal();
      $("#lock-password").focus();
    };
    // Of a session that ended elsewhere the page learns from a form: it is kept, as what is idle is.
    addEventListener("htmx:before:response", (event) => {
      const { response } = event.detail.ctx;
      if (response.status !== 401 || response.headers.has("HX-Redirect")) return;
      event.preventDefault();
      shut(true);
    });
    addEventListener("submit", (event) => {
      if (event.target.action.endsWith("/sign-out")) beside.postMessage({ over: true });
    });
    const leave = () => {
      clearInterval(ticks);
      document.title = "batchqc";
      body.replaceChildren();
      location.replace("/sign-in");
    };
    const ticks = setInterval(() => {
      if (lock.open && Date.now() - locked >= idle) return leave();
      const until = Math.min(idle - (Date.now() - seen), left - (Date.now() - began));
      if (until <= 0) shut();
      else if (until <= 120000 && idle > 120000) warn.hidden = lock.open;
    }, 1000);
    lock.addEventListener("cancel", (event) => event.preventDefault());
    const unlock = async (event) => {
      event.preventDefault();
      const form = event.target;
      const said = $("[role=alert]", form);
      const told = (text) => { said.textContent = text; said.hidden = !text; };
      try {
        const sent = new URLSearchParams(new FormData(form));
        const answer = await fetch("/unlock", { method: "POST", body: sent });
        const found = await answer.json();
        $("#lock-password").value = "";
        $("#lock-code").value = "";
        if (!answer.ok) {
          $("#lock-code-field").hidden = false; // it may be asked for since the page was made
          return told(found.message);
        }
        const begun = { user: body.dataset.user, token: found.token, left: found.left };
        beside.postMessage(begun);
        goOn(begun);
      } catch {
        told($("#offline strong").textContent);
      }
    };
  }
})();
