/* A file that is dropped on a form becomes the file of its field; a bundle that is asked for is told. */
"use strict";
(() => {
  for (const form of document.querySelectorAll("form[data-drop]")) {
    const field = form.querySelector("input[type=file]");
    const over = (event, is) => {
      event.preventDefault();
      form.classList.toggle("over", is);
    };
    form.addEventListener("dragover", (event) => over(event, true));
    form.addEventListener("dragleave", (event) => over(event, false));
    form.addEventListener("drop", (event) => {
      over(event, false);
      if (event.dataTransfer.files.length !== 1) return;
      field.files = event.dataTransfer.files;
      form.requestSubmit();
    });
  }
})();
