# MADV_FREE of part of a huge page splits it: alone, mapped by base entries, and of one that a child maps too.
machine nodes=1 node_mem=1G
thp enabled always
spawn p
@p cpu 0
@p map a 8M anon
@p touch a
@p advise a 0 64K free
@p advise a 2M 2M free
@p protect a 4M 4K r
@p advise a 5M 64K free
@p fork q
@p advise a 6M 64K free
@q touch a 6M 4K
@p advise a 6M 64K free
@q exit
@p advise a 6M 64K free
@p exit
