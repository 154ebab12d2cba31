/** Where tuning results are kept: a file in Node, IndexedDB in browsers. */

export interface TuneStore {
  /** For messages: the file's path, or the database's name. */
  readonly place: string;
  /** Undefined where nothing was kept yet. */
  read(): Promise<string | undefined>;
  write(text: string): Promise<void>;
}

const inNode = typeof process !== "undefined" && process.versions?.node !== undefined;

/** $DAWNSTRAP_TUNE_CACHE, else dawnstrap/tune.json in the user's cache folder; undefined where there is no place for it. */
export async function defaultStore(): Promise<TuneStore | undefined> {
  if (!inNode) return typeof indexedDB === "undefined" ? undefined : browserStore("dawnstrap");
  const [{ homedir }, { join }] = [await import("node:os"), await import("node:path")];
  const { DAWNSTRAP_TUNE_CACHE: own, XDG_CACHE_HOME: caches, LOCALAPPDATA: local } = process.env;
  return fileStore(own || join(caches || local || join(homedir(), ".cache"), "dawnstrap", "tune.json"));
}

export function fileStore(path: string): TuneStore {
  return {
    place: path,
    async read() {
      const { readFile } = await import("node:fs/promises");
      return readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
        throw error;
      });
    },
    async write(text) {
      const { mkdir, rename, writeFile } = await import("node:fs/promises");
      const { dirname } = await import("node:path");
      await mkdir(dirname(path), { recursive: true });
      // Whoever reads meanwhile sees the old file or the new one, never a part.
      const fresh = `${path}.${process.pid}`;
      await writeFile(fresh, text);
      await rename(fresh, path);
    },
  };
}

export function browserStore(name: string): TuneStore {
  const table = "tune";
  const within = async <T>(
    mode: IDBTransactionMode,
    use: (store: IDBObjectStore) => IDBRequest<T>,
  ): Promise<T> => {
    const opening = indexedDB.open(name, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(table);
    const database = await settled(opening);
    try {
      return await settled(use(database.transaction(table, mode).objectStore(table)));
    } finally {
      database.close();
    }
  };
  return {
    place: `IndexedDB ${name}`,
    read: () => within("readonly", (store) => store.get("choices") as IDBRequest<string | undefined>),
    async write(text) {
      await within("readwrite", (store) => store.put(text, "choices"));
    },
  };
}

const settled = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("IndexedDB refuses"));
  });
