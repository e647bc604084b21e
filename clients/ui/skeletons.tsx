/** Skeletons in the shape of what comes. They say nothing to a screen reader; the page announces its loading once. */

export function RailSkeleton() {
  return (
    <div className="mt-10" aria-hidden="true">
      <div className="skeleton ms-[clamp(1rem,4vw,4.5rem)] h-6 w-44" />
      <div className="gutter mt-4 flex gap-4 overflow-hidden">
        {[0, 1, 2, 3, 4, 5].map((index) => (
          <div key={index} className="skeleton aspect-video w-[68vw] flex-none sm:w-[19rem] 2xl:w-[22rem]" />
        ))}
      </div>
    </div>
  );
}

export function HomeSkeleton() {
  return (
    <div aria-hidden="true">
      <div className="skeleton h-[62svh] min-h-96 rounded-none sm:h-[78svh]" />
      <RailSkeleton />
      <RailSkeleton />
    </div>
  );
}

export function TitleSkeleton() {
  return (
    <div aria-hidden="true">
      <div className="skeleton h-[56svh] rounded-none sm:h-[68svh]" />
      <div className="gutter -mt-32 flex flex-col gap-5">
        <div className="skeleton h-16 w-[min(36rem,80%)]" />
        <div className="skeleton h-5 w-64" />
        <div className="skeleton h-12 w-36 rounded-full" />
        <div className="skeleton h-24 w-[min(40rem,90%)]" />
      </div>
    </div>
  );
}

export function GridSkeleton() {
  return (
    <div className="gutter pt-28" aria-hidden="true">
      <div className="skeleton h-10 w-56" />
      <div className="tile-grid mt-8">
        {[0, 1, 2, 3, 4, 5, 6, 7].map((index) => (
          <div key={index} className="skeleton aspect-video" />
        ))}
      </div>
    </div>
  );
}
