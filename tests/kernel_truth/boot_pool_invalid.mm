# A node that does not exist makes the whole count void.
machine nodes=2 node_mem=512M kernel_args="hugepagesz=2M hugepages=0:4,5:2 hugepagesz=1G hugepages=1:0 hugetlb_cma=1G"
pool 2M all 3
pool 2M all 4
