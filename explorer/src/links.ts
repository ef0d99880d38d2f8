// Addresses of publications at the services that know them.

/** How the ids of a type of publication become links; null if no service has them. */
export type Links = {
  readonly site: string;
  /** A regular expression of whole ids: others are not linked. */
  readonly form: string;
  /** With `{id}` where the id belongs. */
  readonly address: string;
} | null;

/** The address of a publication; null if its id has not the form that the service knows. */
export function publicationLink(links: Links, id: string): string | null {
  if (links === null || !new RegExp(`^(?:${links.form})$`).test(id)) return null;
  return links.address.replace("{id}", () => encodeURIComponent(id));
}
