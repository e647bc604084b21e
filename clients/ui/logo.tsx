/** The sign over the door: the brand's name under a row of bulbs. */
export function Logo({ name, className = "" }: { name: string; className?: string }) {
  return (
    <span className={`display inline-flex items-center gap-2.5 text-20 leading-none ${className}`}>
      <svg viewBox="0 0 24 24" aria-hidden="true" className="size-6 flex-none">
        <g fill="var(--color-accent)">
          {[0, 1, 2, 3].map((row) => (
            <g key={row}>
              <circle cx="3.5" cy={3.5 + row * 5.6} r="1.9" />
              <circle cx="20.5" cy={3.5 + row * 5.6} r="1.9" />
            </g>
          ))}
          <circle cx="7.8" cy="7.2" r="1.9" />
          <circle cx="16.2" cy="7.2" r="1.9" />
          <circle cx="12" cy="11.6" r="1.9" />
        </g>
      </svg>
      {name}
    </span>
  );
}
