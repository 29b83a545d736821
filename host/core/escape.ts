/** Text for HTML pages. */
const HTML: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;" };

/** `text` as the text of an HTML page or the value of an attribute. */
export function escapeHTML(text: string): string {
  return text.replace(/[&<>"']/g, (character) => HTML[character] as string);
}
