/** Metrics that several protocols have, as tables call them. */

/** Where every image has one class. */
export const classification = { top1: "top-1", top5: "top-5", mean_per_class: "mean per class" } as const;
/** Where images show several classes. */
export const precision = { map_11_point: "mAP (11-point)", map_all_point: "mAP (all points)" } as const;
