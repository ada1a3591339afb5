-- on 16 CPUs a touch takes less than half a percent longer than on one
SELECT max("touch of 64 MiB, ms") / min("touch of 64 MiB, ms") < 1.005 FROM shown WHERE pages = '4K';

-- a page of 2 MiB costs a quarter of 512 small ones
SELECT huge."touch of 64 MiB, ms" / small."touch of 64 MiB, ms" BETWEEN 0.23 AND 0.27
FROM shown AS huge, shown AS small WHERE huge.pages = '2M' AND small.pages = '4K' AND huge.CPUs = small.CPUs;
