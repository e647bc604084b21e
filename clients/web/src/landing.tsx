import { useWords } from "../../ui/words.tsx";

/** What a visitor sees: the screen before the film. Drawn in the page itself, since there is no picture to load yet. */
export function Landing() {
  const { m } = useWords();
  return (
    <>
      <section className="relative flex min-h-[88svh] flex-col justify-end overflow-hidden">
        <Curves />
        <div className="gutter relative flex max-w-6xl flex-col items-start gap-6 pt-32 pb-16 sm:pb-24">
          <h1 className="display text-40 sm:text-64 lg:text-[6rem]">{m.landingTitle}</h1>
          <p className="max-w-xl text-16 text-ink-2 sm:text-20">{m.landingText}</p>
          <a href="/sign-up" className="button button-primary mt-2">
            {m.landingStart}
          </a>
        </div>
      </section>
      <section className="gutter grid gap-x-16 gap-y-10 pt-8 pb-24 md:grid-cols-3">
        {m.landingPoints.map(([title, text]) => (
          <div key={title}>
            <h2 className="display text-20">{title}</h2>
            <p className="mt-2 max-w-sm text-16 text-ink-2">{text}</p>
          </div>
        ))}
      </section>
    </>
  );
}

/** A family of Lissajous curves: what our films are made of, and lighter than any photograph of them. */
function Curves() {
  const curves = Array.from({ length: 26 }, (_, index) => {
    const phase = (index / 26) * Math.PI;
    const points = Array.from({ length: 121 }, (_, step) => {
      const t = (step / 120) * 2 * Math.PI;
      const x = 1_060 + 760 * Math.sin(3 * t + phase);
      const y = 420 + 520 * Math.sin(2 * t + phase * 0.35);
      return `${x.toFixed(0)} ${y.toFixed(0)}`;
    });
    return { path: `M${points.join("L")}Z`, opacity: 0.07 + 0.5 * (index / 26) ** 2 };
  });
  return (
    <svg
      viewBox="0 0 1600 900"
      preserveAspectRatio="xMidYMid slice"
      aria-hidden="true"
      className="breathe absolute inset-0 h-full w-full [mask-image:linear-gradient(to_bottom,black_30%,transparent_92%)]"
    >
      <g fill="none" stroke="var(--color-accent-line)" strokeWidth="1.1">
        {curves.map(({ path, opacity }) => (
          <path key={path} d={path} strokeOpacity={opacity} />
        ))}
      </g>
    </svg>
  );
}
