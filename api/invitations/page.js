"use strict";

const form = document.querySelector("form");
const told = document.querySelector("output");
const invitation = location.hash.slice(1);
history.replaceState(null, "", location.pathname);

async function choose(password) {
  const answer = await fetch("/auth/password", {
    method: "POST",
    headers: { "Content-Type": "application/json", "Accept-Language": document.documentElement.lang },
    body: JSON.stringify({ invitation, password }),
  });
  const body = await answer.json();
  form.hidden = answer.ok;
  return answer.ok ? form.dataset.done.replace("{email}", body.email) : body.errors[0].message;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  told.textContent = await choose(form.elements.password.value).catch(() => form.dataset.failed);
});
