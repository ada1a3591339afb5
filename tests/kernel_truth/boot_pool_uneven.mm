# More than the nodes hold in equal parts: the smallest is full first, the others go on.
machine nodes=3 node_mem=256M,768M,512M kernel_args="hugepages=420"
pool 2M all 421
pool 2M all 419
pool 2M node1 300
pool 2M all 100
pool 2M all 102
pool 2M all 0
