-- The smallest pool that turns less than 1% away in half of the weeks is 18 GiB a node where guests go to the nodes in turn, and
-- 16 GiB where each goes to the node with most free pages.
SELECT group_concat(pool || ' ' || placement, ', ') = '16 GiB of 2M most_free, 18 GiB of 2M round_robin, 18 GiB of 2M most_free, 20 GiB of 2M round_robin, 20 GiB of 2M most_free'
FROM (
  SELECT pool, placement FROM (
    SELECT point, pool, placement, "turned away" AS share,
      row_number() OVER (PARTITION BY point ORDER BY "turned away") AS place FROM shown)
  WHERE place IN (10, 11) AND pool LIKE '% of 2M'
  GROUP BY point HAVING avg(share) < 0.01 ORDER BY point);

-- With pages of 1 GiB it is 18 GiB by most free pages, and more than 20 GiB in turn
SELECT group_concat(pool || ' ' || placement, ', ') = '18 GiB of 1G most_free, 20 GiB of 1G most_free'
FROM (
  SELECT pool, placement FROM (
    SELECT point, pool, placement, "turned away" AS share,
      row_number() OVER (PARTITION BY point ORDER BY "turned away") AS place FROM shown)
  WHERE place IN (10, 11) AND pool LIKE '% of 1G'
  GROUP BY point HAVING avg(share) < 0.01 ORDER BY point);

-- guests take 30% more of a pool of 20 GiB in pages of 1 GiB than in pages of 2 MiB
SELECT round(100.0 * large / small) = 130 FROM (
  SELECT avg("in use") FILTER (WHERE pool = '20 GiB of 1G') AS large,
    avg("in use") FILTER (WHERE pool = '20 GiB of 2M') AS small FROM shown);

-- In no pool are fewer guests turned away in turn than by most free pages.
SELECT avg(turn."turned away") >= avg(free."turned away") FROM shown AS turn JOIN shown AS free USING (pool, seed)
WHERE turn.placement = 'round_robin' AND free.placement = 'most_free' GROUP BY pool;
