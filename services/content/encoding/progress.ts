/** How far the tasks under way in this process are. It is for people, so it may be lost. */
export interface ProgressBook {
  set(title: string, task: string, ratio: number): void;
  done(title: string, task: string): void;
  of(title: string): ReadonlyMap<string, number>;
}

export function openProgressBook(): ProgressBook {
  const titles = new Map<string, Map<string, number>>();
  const nothing: ReadonlyMap<string, number> = new Map();
  return {
    set(title, task, ratio) {
      const tasks = titles.get(title) ?? new Map<string, number>();
      titles.set(title, tasks.set(task, ratio));
    },
    done(title, task) {
      const tasks = titles.get(title);
      tasks?.delete(task);
      if (tasks?.size === 0) titles.delete(title);
    },
    of: (title) => titles.get(title) ?? nothing,
  };
}
