-- Since 5.13 the outcome is that of one write after the other.
SELECT "node 0" = 10000 AND "node 1" = 10000 FROM shown WHERE kernel = '6.1' AND writes = 'two_nodes';
SELECT machine = 5000 FROM shown WHERE kernel = '6.1' AND writes = 'up_and_down';
SELECT machine = 4000 FROM shown WHERE kernel = '6.1' AND writes = 'node_and_all';

-- two_nodes: the machine has the 20,000 pages that were written last, but node 0 has half of what was wanted there.
SELECT machine = 20000 FROM shown WHERE writes = 'two_nodes';
SELECT "node 0" < 10000 FROM shown WHERE kernel = '5.12' AND writes = 'two_nodes';

-- up_and_down: the last write, 5,000, is lost
SELECT machine = 30000 FROM shown WHERE kernel = '5.12' AND writes = 'up_and_down';

-- node_and_all: node 0 has 28,129 pages, more than anybody ever wrote
SELECT "node 0" > 20000 FROM shown WHERE kernel = '5.12' AND writes = 'node_and_all';

-- Since 5.13 a mutex in each hstate (resize_lock) lets one writer in at a time.
SELECT "waits for the other" = (kernel = '6.1') FROM shown;
