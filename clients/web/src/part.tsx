import type { ReactNode } from "react";

/** A part of a page of settings, with its heading. */
export function Part({ title, id, children }: { title: string; id?: string; children: ReactNode }) {
  return (
    <section className="mt-14 scroll-mt-24" id={id}>
      <h2 className="display mb-4 text-28">{title}</h2>
      {children}
    </section>
  );
}
