import { Form, useActionData } from "react-router";

export async function action({ request }) {
  return { name: (await request.formData()).get("name") };
}

export default function Home() {
  return (
    <Form method="post">
      <h1>{`Hello ${useActionData()?.name ?? "you"}`}</h1>
      <input name="name" />
    </Form>
  );
}
