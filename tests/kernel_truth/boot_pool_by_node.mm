# hugepages=NODE:N,..: a count for each node, and the turn stays where it was.
machine nodes=3 node_mem=768M,512M,1G kernel_args="hugepages=2:9,0:5"
pool 2M all 15
pool 2M all 16
pool 2M all 12
pool 2M node1 3
pool 2M all 19
pool 2M node0 0
pool 2M all 0
