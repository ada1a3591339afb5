# Pools of both sizes from the command line on two nodes, and whose turn it is afterwards.
machine nodes=2 node_mem=3G kernel_args="hugepagesz=1G hugepages=1 hugepagesz=2M hugepages=65"
pool 2M all 66
pool 2M all 64
pool 1G all 2
pool 1G all 1
demote 1G node1 1
pool 2M all 65
pool 1G all 0
spawn p
@p cpu 1
@p map a 20M hugetlb-2M
@p touch a
@p exit
pool 2M all 3
pool 2M all 0
