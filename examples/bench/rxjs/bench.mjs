// Runs one work with RxJS and prints the nanoseconds of an item: node bench.mjs WORK
// ITEMS
import { Subject, combineLatest, filter, map, merge, range, share, switchMap, of, debounceTime, bufferTime } from 'rxjs';

const increment = (v) => v + 1;
let sunk = 0;
const sink = (v) => { sunk += v; };

const works = {
  chain(n) {
    range(0, n).pipe(map(increment), map(increment), filter((v) => v >= 0), map(increment), map(increment)).subscribe(sink);
  },
  merge(n) {
    const subjects = Array.from({ length: 8 }, () => new Subject());
    merge(...subjects).subscribe(sink);
    for (let i = 0; i < n; i++) subjects[i % 8].next(i);
  },
  combineLatest(n) {
    const subjects = Array.from({ length: 4 }, () => new Subject());
    combineLatest(subjects, (a, b, c, d) => a + b + c + d).subscribe(sink);
    for (const s of subjects) s.next(0);
    for (let i = 0; i < n; i++) subjects[i % 4].next(i);
  },
  share(n) {
    const source = new Subject();
    const shared = source.pipe(share());
    for (let i = 0; i < 16; i++) shared.subscribe(sink);
    for (let i = 0; i < n; i++) source.next(i);
  },
  switchMap(n) {
    range(0, n).pipe(switchMap((v) => of(v))).subscribe(sink);
  },
  debounceTime(n) {
    const source = new Subject();
    source.pipe(debounceTime(1)).subscribe(sink);
    for (let i = 0; i < n; i++) source.next(i);
    source.complete();
  },
  bufferTime(n) {
    const source = new Subject();
    source.pipe(bufferTime(1)).subscribe((values) => { sunk += values.length; });
    for (let i = 0; i < n; i++) source.next(i);
    source.complete();
  },
};

const [name, items] = process.argv.slice(2);
const n = Number(items);
works[name](Math.min(n, 100_000)); // lets the compiler warm up
const start = process.hrtime.bigint();
works[name](n);
console.log(Number(process.hrtime.bigint() - start) / n);
