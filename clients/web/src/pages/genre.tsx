import { Link, useLoaderData } from "react-router";
import { StatePage } from "../../../ui/feedback.tsx";
import { useWords } from "../../../ui/words.tsx";
import type { LoaderData } from "../loaders.ts";
import { TileGrid } from "../tile.tsx";

export function Component() {
  const { title, cards } = useLoaderData<LoaderData<"genre">>();
  const { m } = useWords();
  if (cards.length === 0) {
    const action = (
      <Link to="/search" className="button button-primary">
        {m.browseTitles}
      </Link>
    );
    return <StatePage title={title} text={m.genreEmpty} actions={action} />;
  }
  return (
    <div className="gutter pt-24 sm:pt-32">
      <h1 className="display mb-8 text-40 sm:text-64">{title}</h1>
      <TileGrid heading="h2" cards={cards} />
    </div>
  );
}
