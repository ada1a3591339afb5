-- the pool keeps every page
SELECT "pages before" = after FROM shown;
SELECT count(DISTINCT after) = 1 FROM shown GROUP BY node1, pool;

-- Before, what has a huge page in it does not come back, free or not
SELECT returned = 1 - "pages before" / 2048 FROM shown WHERE kernel = 'before 5.13';

-- finding that out costs most of the time
SELECT since.took < before.took / 3
FROM shown AS before JOIN shown AS since USING (node1, pool)
WHERE before.kernel = 'before 5.13' AND since.kernel = 'since 5.13' AND pool LIKE '% free';

-- everything comes back
SELECT returned = 1 FROM shown WHERE kernel = 'since 5.13' AND NOT (node1 = 'full' AND pool LIKE '% free');

-- no more comes back than before
SELECT since.returned <= before.returned
FROM shown AS before JOIN shown AS since USING (node1, pool)
WHERE before.kernel = 'before 5.13' AND since.kernel = 'since 5.13' AND node1 = 'full' AND pool LIKE '% free';

-- one in use 0.3 ms: it is copied
SELECT took / ("pages before" * 512 * 600) BETWEEN 1 AND 1.2
FROM shown WHERE kernel = 'since 5.13' AND pool LIKE '% used';

-- the pages move to node 0
SELECT CASE node1 WHEN 'full' THEN "on node 0" > 0.98 * "pages before" ELSE "on node 0" = 0 END
FROM shown WHERE kernel = 'since 5.13' AND pool LIKE '% used';
