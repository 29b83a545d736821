// The page on the users. What comes from the server is shown as text, never as HTML.
const PAGE_SIZE = 10;
const [add, state, rows, back, next] = ["add", "state", "users", "back", "next"].map((id) =>
  document.getElementById(id),
);
let offset = 0;

/** Asks the service; what it complains about is an error with its sentence. */
async function ask(method, path, body) {
  const headers = body === undefined ? {} : { "Content-Type": "application/json" };
  const response = await fetch(path, { method, headers, body: JSON.stringify(body) }).catch(() => {
    throw new Error("the server cannot be reached");
  });
  const answer = response.status === 204 ? null : await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

function pathOf(name) {
  return `users/${encodeURIComponent(name)}`;
}

function say(text, isWrong = false) {
  state.textContent = text;
  state.classList.toggle("wrong", isWrong);
}

/** Does something and shows the list as it is then. What fails is said, and leaves everything as it was. */
async function change(action, done) {
  try {
    await action();
    await show();
    say(done);
  } catch (error) {
    say(`That did not work: ${error.message}.`, true);
  }
}

async function show() {
  const list = await ask("GET", `users?limit=${PAGE_SIZE}&offset=${offset}`);
  if (list.users.length === 0 && offset > 0) {
    offset = Math.max(0, offset - PAGE_SIZE); // the last of a page has been deleted
    return show();
  }
  rows.replaceChildren(...list.users.map(rowOf));
  back.disabled = offset === 0;
  next.disabled = list.next === null;
}

function copyOf(template) {
  return document.getElementById(template).content.firstElementChild.cloneNode(true);
}

function rowOf(user) {
  const row = copyOf("row");
  row.querySelector(".name").textContent = user.name;
  row.querySelector(".date").textContent = user.signup_date ?? "";
  const edit = row.querySelector(".edit");
  edit.onclick = () => {
    const editor = editorOf(user, row);
    row.replaceWith(editor);
    editor.querySelector(".name").focus();
  };
  row.querySelector(".delete").onclick = () => {
    if (!confirm(`Delete ${user.name}?`)) return;
    change(() => ask("DELETE", pathOf(user.name)), `${user.name} is gone.`);
  };
  return row;
}

function editorOf(user, row) {
  const editor = copyOf("editor");
  const [name, date] = [editor.querySelector(".name"), editor.querySelector(".date")];
  name.value = user.name;
  date.value = user.signup_date ?? "";
  const close = () => {
    editor.replaceWith(row);
    row.querySelector(".edit").focus();
  };
  const save = () => {
    if (!name.reportValidity() || !date.reportValidity()) return;
    const changed = { name: name.value.trim(), signup_date: date.value };
    change(() => ask("PUT", pathOf(user.name), changed), `${changed.name} is saved.`);
  };
  editor.querySelector(".save").onclick = save;
  editor.querySelector(".cancel").onclick = close;
  editor.onkeydown = (event) => {
    if (event.key === "Escape") close();
    if (event.key === "Enter" && event.target.tagName === "INPUT") save();
  };
  return editor;
}

add.onsubmit = (event) => {
  event.preventDefault();
  const { name, signup_date } = add.elements;
  const user = { name: name.value.trim(), signup_date: signup_date.value };
  change(async () => {
    await ask("POST", "users", user);
    name.value = "";
    name.focus();
  }, `${user.name} is added.`);
};
back.onclick = () => {
  offset = Math.max(0, offset - PAGE_SIZE);
  change(() => {}, "");
};
next.onclick = () => {
  offset += PAGE_SIZE;
  change(() => {}, "");
};

const now = new Date();
now.setMinutes(now.getMinutes() - now.getTimezoneOffset()); // the day here, not in Greenwich
add.elements.signup_date.value = now.toISOString().slice(0, 10);
change(() => {}, "");
