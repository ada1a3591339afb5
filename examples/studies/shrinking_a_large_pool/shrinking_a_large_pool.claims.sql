-- At 5 s nr_hugepages is written down to 1,000
SELECT "given up" = pool - 1000 FROM shown;

-- Since 5.13 the longest hold is about an eighth of what it was, and so is the longest wait for a large pool
SELECT before."longest hold" BETWEEN 7 * since."longest hold" AND 9 * since."longest hold"
  AND before."longest wait" > 7 * since."longest wait" AND (pool = 2000 OR before."longest wait" < 9 * since."longest wait")
FROM shown AS before JOIN shown AS since USING (pool)
WHERE before.kernel = 'before 5.13' AND since.kernel = 'since 5.13';

-- the 60 us for a small one can pass while nobody wants the lock
SELECT "longest hold" = 60e3 AND "longest wait" < 1e3 FROM shown WHERE pool = 2000 AND kernel = 'since 5.13';

-- it still grows with the number of pages
SELECT many."longest hold" / few."longest hold" BETWEEN 4.5 AND 5.5
FROM shown AS few JOIN shown AS many USING (kernel)
WHERE few.pool = 101000 AND many.pool = 501000;

-- all eight processes stand still
SELECT "waited in all" > 7.9 * "longest wait" FROM shown WHERE pool > 2000;
