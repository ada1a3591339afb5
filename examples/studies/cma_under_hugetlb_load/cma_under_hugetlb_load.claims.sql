-- An empty area is served without a migration, in 0.03 ms.
SELECT migrated = 0 AND longest < 0.1e6 FROM shown WHERE load = 'idle';

-- Memory that can be moved makes no allocation fail
SELECT failed = 0 FROM shown WHERE load <> 'pins';

-- it makes it slow: 0.8 ms in place of 0.03 ms on average
SELECT faults.mean > 10 * idle.mean
FROM shown AS idle JOIN shown AS faults USING (lock)
WHERE idle.load = 'idle' AND faults.load = 'faults';

-- The worst that happens to the driver is not in its own area.
SELECT resize.longest > 10 * faults.longest
FROM shown AS faults JOIN shown AS resize USING (lock)
WHERE faults.load = 'faults' AND resize.load = 'resize';

-- It waits over 0.6 s for a gigantic page that is made at the other end of the node.
SELECT gigantic > 0 AND waits > 0 AND "longest wait" > 0.9 * longest FROM shown WHERE load = 'resize';

-- Without gigantic pages nobody waits for it.
SELECT waits = 0 FROM shown WHERE load <> 'resize';

-- Pinned pages make allocations fail
SELECT failed > 0 FROM shown WHERE load = 'pins';

-- Mutex or spinlock: not a nanosecond of difference, as nobody waits for the area's lock.
SELECT "waits for areas" = 0 FROM shown;
SELECT count(*) = 4 FROM (
  SELECT DISTINCT load, calls, failed, mean, longest, migrated, gigantic, waits, "longest wait" FROM shown);

-- Three gigantic pages are made in the two seconds, and the driver gets 8 buffers in place of 400.
SELECT gigantic = 3 AND calls = 8 FROM shown WHERE load = 'resize';
