/** Tuning results in IndexedDB. */
import type { TuneStore } from "../platform.js";

export function databaseStore(name: string): TuneStore {
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
