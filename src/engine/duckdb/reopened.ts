/**
 * After an internal error DuckDB refuses everything that the instance is asked. It is opened anew then, for the next
 * batch; batches in flight fail with it. Views are not made again: the engine of batches has none.
 */
interface Instance {
  closeSync(): void;
}

export interface Reopened<C> {
  connect: () => Promise<C>;
  close: () => void;
}

const REFUSES = /database has been invalidated/i;

export async function reopened<I extends Instance, C>(
  open: () => Promise<I>,
  connect: (instance: I) => Promise<C>,
): Promise<Reopened<C>> {
  let instance = await open();
  let opening: Promise<I> | undefined;
  const reopen = (broken: I): Promise<I> => {
    if (broken !== instance) return Promise.resolve(instance);
    opening ??= open()
      .then((fresh) => {
        instance = fresh;
        broken.closeSync();
        return fresh;
      })
      .finally(() => {
        opening = undefined;
      });
    return opening;
  };
  return {
    async connect() {
      const asked = instance;
      try {
        return await connect(asked);
      } catch (error) {
        if (!(error instanceof Error) || !REFUSES.test(error.message)) throw error;
        return connect(await reopen(asked));
      }
    },
    close: () => instance.closeSync(),
  };
}
