# More than the machine has: the kernel takes what there is.
# tolerance 2%
machine nodes=2 node_mem=512M,768M kernel_args="hugepages=0:900,1:3"
pool 2M node0 10
pool 2M all 14
pool 2M all 16
pool 2M all 0
