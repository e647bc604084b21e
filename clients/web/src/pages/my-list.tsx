import { useState } from "react";
import { Link, useLoaderData } from "react-router";
import type { Card } from "../../../../contracts/web/index.ts";
import { StatePage } from "../../../ui/feedback.tsx";
import { useWords } from "../../../ui/words.tsx";
import { browserApi } from "../api.ts";
import type { LoaderData } from "../loaders.ts";
import { TileGrid } from "../tile.tsx";

export function Component() {
  const loaded = useLoaderData<LoaderData<"myList">>();
  const { m } = useWords();
  const [removed, setRemoved] = useState<ReadonlySet<string>>(new Set());
  const cards = loaded.cards.filter(({ id }) => !removed.has(id));
  const remove = (card: Card) => ({
    label: `${m.removeFromMyList}: ${card.title}`,
    run: () => {
      setRemoved((before) => new Set(before).add(card.id));
      browserApi.setInMyList(card.id, false).catch(() => {
        setRemoved((before) => new Set([...before].filter((id) => id !== card.id)));
      });
    },
  });
  if (cards.length === 0) {
    const action = (
      <Link to="/" className="button button-primary">
        {m.browseTitles}
      </Link>
    );
    return <StatePage title={m.myListEmpty} text={m.myListEmptyText} actions={action} />;
  }
  return (
    <div className="gutter pt-24 sm:pt-32">
      <h1 className="display mb-8 text-40 sm:text-64">{m.myList}</h1>
      <TileGrid heading="h2" cards={cards} onRemove={remove} />
    </div>
  );
}
