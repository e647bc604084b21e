import { Link } from "react-router";
import { ProgressLine } from "../../../ui/feedback.tsx";
import { clock } from "../../../ui/time.ts";
import type { EnrichedTitle } from "../api.ts";
import { moment } from "../format.ts";
import { nameOf, useTitles } from "../names.ts";
import { Chip, Empty, Loaded, RowSkeletons, TablePlace } from "../parts.tsx";
import { useQueue } from "./frame.tsx";

/** Every title that was taken in, with how far it was looked at. */
export function TitlesPage() {
  const queue = useQueue();
  return (
    <section aria-label="Titles">
      <Loaded of={queue} skeleton={<RowSkeletons count={5} className="h-16" />}>
        {({ titles }) =>
          titles.length === 0 ? (
            <Empty title="No title was taken in">
              <p>
                <code>./marquee import FILE</code> makes a title, which is looked at when it is encoded.
              </p>
            </Empty>
          ) : (
            <Titles titles={titles} />
          )
        }
      </Loaded>
    </section>
  );
}

function Titles({ titles }: { titles: readonly EnrichedTitle[] }) {
  const known = useTitles(titles.map(({ contentId }) => contentId));
  return (
    <TablePlace label="Titles and how far they are">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Title</th>
            <th scope="col">Looked at</th>
            <th scope="col">Skipped or failed</th>
            <th scope="col" className="text-end">
              To decide
            </th>
            <th scope="col">Taken in</th>
          </tr>
        </thead>
        <tbody>
          {titles.map((title) => (
            <Row key={title.contentId} title={title} name={nameOf(known, title.contentId)} />
          ))}
        </tbody>
      </table>
    </TablePlace>
  );
}

function Row({ title, name }: { title: EnrichedTitle; name: string }) {
  const { steps } = title;
  const of = (state: string) => steps.filter((step) => step.state === state);
  const [running] = of("running");
  const done = of("done").length;
  return (
    <tr>
      <th scope="row">
        <Link to={`/titles/${title.contentId}`} className="font-semibold hover:underline">
          {name}
        </Link>
        <span className="tabular ms-2 text-14 font-normal text-ink-3">{clock(title.durationS)}</span>
      </th>
      <td>
        <span className="tabular">
          {done} of {steps.length}
        </span>
        {running !== undefined && (
          <span className="mt-1 block w-40">
            <span className="text-14 text-ink-2">{running.name} …</span>
            <ProgressLine value={running.progress} label={`${running.name} of ${name}`} />
          </span>
        )}
      </td>
      <td>
        <span className="flex flex-wrap gap-1">
          {of("failed").map((step) => (
            <Chip key={step.name} tone="warn">
              {step.name}
            </Chip>
          ))}
          {of("skipped").map((step) => (
            <Chip key={step.name}>{step.name}</Chip>
          ))}
        </span>
      </td>
      <td className="tabular text-end">{title.findingsWaiting > 0 ? title.findingsWaiting : "–"}</td>
      <td className="tabular whitespace-nowrap text-ink-2">{moment(title.begunAtMs)}</td>
    </tr>
  );
}
